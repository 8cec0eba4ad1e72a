-- measured: read: meters as they stand, each with what its day and its month had before this hour, in one look. How long each count
-- lasted is told only where `shares` asks for it: there may be hundreds of counts.
-- keys: meters spread usage
-- args: customer scopes shares
-- answers: measured {now_ms meters}
-- uses: view meters
local function row(level, number, scope)
  local packed = redis.call('HGET', usage, field_of(level, number, scope))
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
  local day = meter and math.floor(meter[3] / (24 * HOUR_MS))
  found[i] = meter and {
    count = meter[1], over = meter[2], last_ms = meter[3], row = row_of(scope, meter, not args.shares), day = row('d', day, scope), month = row('m', month_of(day), scope),
  } or false
end
local time = redis.call('TIME')
return answer('measured', {now_ms = args.now_ms or time[1] * 1000 + math.floor(time[2] / 1000), meters = found})
