-- cooldowns: who is refused for now, and for how long: a user who was forced out, or one device of the user; while the
-- partition recovers, everybody.
-- keys: cooldowns

local function cooling_for(user, device)
  local member = args.customer .. '\0' .. user
  local for_user = tonumber(redis.call('ZSCORE', cooldowns, member)) or 0
  local for_device = tonumber(redis.call('ZSCORE', cooldowns, member .. '\0' .. device.id)) or 0
  return math.max(for_user, for_device) - now
end

-- The window mostly ends long before its time: a client need not wait for all of it.
local function recovering_denial()
  return {code = 'recovering', retry_after_ms = math.min(recover_until_ms - now, 5000)}
end
