-- recount: what every meter of the customer ought to say, from the sessions that hold the seats.
-- keys: sessions seats meters (with sessions and events)

do

local function in_use()
  local found, members = {}, {}
  local all = redis.call('HVALS', sessions)
  for _, packed in ipairs(all) do
    local record = cmsgpack.unpack(packed)
    for _, seat in ipairs(counted(record)) do
      local member = seat.license .. '\0' .. seat.holder
      found[member] = {license = seat.license, product = seat.product, domain = record.domain, overdraft = seat.overdraft}
      members[member] = true
      if seat.reserved then
        members[seat.license .. '\1' .. seat.reserved .. '\0' .. seat.holder] = true
      end
    end
  end
  return found, members
end

-- A seat that no session counts is nobody's: no session ends that would give it back. (While the partition recovers, one may be told of.)
local function take_out_strays(members)
  for _, member in ipairs(recovering and {} or redis.call('ZRANGE', seats, 0, -1)) do
    if not members[member] then
      redis.call('ZREM', seats, member)
    end
  end
end

-- Those meters that count something, which ought to be 0 when nothing is in use there.
local function set_to_none(counts)
  local known = redis.call('HGETALL', meters)
  for i = 1, #known, 2 do
    local meter = running[known[i]] or cmsgpack.unpack(known[i + 1])
    if meter[1] > 0 or meter[2] > 0 then
      counts[known[i]] = counts[known[i]] or {0, 0}
    end
  end
  for scope in pairs(running) do
    counts[scope] = counts[scope] or {0, 0}
  end
end

-- Sets the meters; answers seats and seats in the overdraft by scope, for the stream.
function recount(at_ms)
  local counts, found, members = {}, in_use()
  for _, item in pairs(found) do
    for _, scope in ipairs(scopes_of(item)) do
      local known = counts[scope] or {0, 0}
      counts[scope] = {known[1] + 1, known[2] + (item.overdraft and 1 or 0)}
    end
  end
  set_to_none(counts)
  for scope, is in pairs(counts) do
    local meter = meter_of(scope, at_ms)
    meter[1], meter[2] = is[1], is[2]
    meter[6] = math.max(meter[6], is[1])
  end
  take_out_strays(members)
  return counts
end

end
