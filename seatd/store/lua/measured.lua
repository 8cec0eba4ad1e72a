-- measured: read: meters as they stand, in one look; for the level `day` or `month` each with what that had before this hour. How
-- long each count lasted is told only where `shares` asks for it: there may be hundreds of counts.
-- keys: meters spread usage
-- args: customer scopes level shares
-- answers: measured {now_ms meters}
-- uses: view meters
local function before(meter, scope)
  if args.level == 'hour' then
    return nil
  end
  local day = math.floor(meter[3] / (24 * HOUR_MS))
  local field = args.level == 'day' and field_of('d', day, scope) or field_of('m', month_of(day), scope)
  local packed = redis.call('HGET', usage, field)
  local known = packed and cmsgpack.unpack(packed) or nil
  if known and not args.shares then
    known[7] = {}
  end
  return known
end

local found = {}
for i, scope in ipairs(args.scopes) do
  local packed = redis.call('HGET', meters, scope)
  local meter = packed and cmsgpack.unpack(packed)
  found[i] = meter and {
    count = meter[1], over = meter[2], last_ms = meter[3], row = row_of(scope, meter, not args.shares), before = before(meter, scope),
  } or false
end
local time = redis.call('TIME')
return answer('measured', {now_ms = args.now_ms or time[1] * 1000 + math.floor(time[2] / 1000), meters = found})
