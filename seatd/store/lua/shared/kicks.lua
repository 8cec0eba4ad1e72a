-- kicks: forcing a session out; and forced logouts that were ordered while the partition recovers, which hold for the sessions too
-- that it is told of only later.
-- keys: kicks cooldowns (with sessions: sessions by_user)

local function holds(record, id)
  for _, seat in ipairs(record.seats) do
    if seat.license == id then
      return true
    end
  end
  return false
end

-- One device forced out cools that device; everything else cools the user.
local function cool(user, device, until_ms)
  if until_ms > now then
    local member = args.customer .. '\0' .. user .. (device and '\0' .. device or '')
    redis.call('ZADD', cooldowns, 'GT', until_ms, member)
  end
end

local function force_out(session, record, how)
  local device = how.session and record.device.id or nil
  cool(record.user, device, how.cool_until_ms)
  return drain(session, record, {
    type = how.type, code = how.code, message = how.message, by = how.by,
    cooldown_s = math.max(0, math.ceil((how.cool_until_ms - now) / 1000)), user = record.user, device = device,
  })
end

local function is_meant(how, session, record)
  if how.session then
    return how.session == session and (not how.user or how.user == record.user)
  elseif how.user then
    return how.user == record.user
  elseif how.license then
    return holds(record, how.license)
  elseif how.domain then
    return how.domain == record.domain
  end
  return how.everyone
end

-- The forced logout of this recovery that means a session which the partition did not know when it was ordered.
local function kick_for(session, record)
  for _, member in ipairs(range(kicks, args.customer)) do
    local how = cmsgpack.unpack(tail(member))
    if is_meant(how, session, record) then
      return how
    end
  end
end
