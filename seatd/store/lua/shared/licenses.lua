-- licenses: the record of a license, and seats as they are shown: with the end of their license.
-- keys: licenses

local function license(id)
  local packed = redis.call('HGET', licenses, id)
  return packed and cmsgpack.unpack(packed) or nil
end

local function shown(held)
  local list = {}
  for _, seat in ipairs(held) do
    local record, copy = license(seat.license), {}
    for name, value in pairs(seat) do
      copy[name] = value
    end
    copy.until_ms = record and record.valid_till_ms or 0
    list[#list + 1] = copy
  end
  return list
end
