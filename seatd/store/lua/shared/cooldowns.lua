-- cooldowns: for how long a user who was forced out, or one device of the user, is still refused.
-- keys: cooldowns

local function cooling_for(user, device)
  local member = args.customer .. '\0' .. user
  local for_user = tonumber(redis.call('ZSCORE', cooldowns, member)) or 0
  local for_device = tonumber(redis.call('ZSCORE', cooldowns, member .. '\0' .. device.id)) or 0
  return math.max(for_user, for_device) - now
end
