-- recount: what every meter of the customer ought to say, from the sessions that hold the seats.
-- keys: sessions meters (with sessions and events)

do

local function in_use()
  local found = {}
  local all = redis.call('HVALS', sessions)
  for _, packed in ipairs(all) do
    local record = cmsgpack.unpack(packed)
    for _, seat in ipairs(counted(record)) do
      found[seat.license .. '\0' .. seat.holder] = {
        license = seat.license, product = seat.product, domain = record.domain, overdraft = seat.overdraft,
      }
    end
  end
  return found
end

-- Sets the meters; answers seats and seats in the overdraft by scope, for the stream.
function recount(at_ms)
  local counts = {}
  for _, item in pairs(in_use()) do
    for _, scope in ipairs(scopes_of(item)) do
      local known = counts[scope] or {0, 0}
      counts[scope] = {known[1] + 1, known[2] + (item.overdraft and 1 or 0)}
    end
  end
  local known = redis.call('HKEYS', meters)
  for _, scope in ipairs(known) do
    counts[scope] = counts[scope] or {0, 0}
  end
  for scope, is in pairs(counts) do
    local meter = meter_of(scope, at_ms)
    meter[1], meter[2] = is[1], is[2]
    meter[6] = math.max(meter[6], is[1])
  end
  return counts
end

end
