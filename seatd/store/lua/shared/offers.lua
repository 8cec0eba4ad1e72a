-- offers: for every domain and product, the licenses in the order they are drawn on: fewest domains first (the one that
-- helps the fewest others), then the one that ends soonest.
-- keys: licenses offers

local function sooner(a, b)
  if #a.domains ~= #b.domains then
    return #a.domains < #b.domains
  end
  if a.valid_till_ms ~= b.valid_till_ms then
    return a.valid_till_ms < b.valid_till_ms
  end
  return a.id < b.id
end

local function touch(touched, record)
  for _, domain in ipairs(record.domains) do
    touched[domain .. '\0' .. record.product] = touched[domain .. '\0' .. record.product] or {}
  end
end

-- Makes the offers of every touched domain and product anew from the licenses that stand now.
local function reoffer(touched)
  local all = redis.call('HGETALL', licenses)
  for i = 1, #all, 2 do
    local record = cmsgpack.unpack(all[i + 1])
    record.id = all[i]
    for _, domain in ipairs(record.domains) do
      local list = touched[domain .. '\0' .. record.product]
      if list then
        list[#list + 1] = record
      end
    end
  end
  for field, list in pairs(touched) do
    table.sort(list, sooner)
    local ids = {}
    for i, record in ipairs(list) do
      ids[i] = record.id
    end
    if #ids == 0 then
      redis.call('HDEL', offers, field)
    else
      redis.call('HSET', offers, field, cmsgpack.pack(ids))
    end
  end
end

-- Forgets the texts of those keys from which no license is left. keys: license_keys
local function forget_unused_keys(candidates)
  local all = redis.call('HVALS', licenses)
  for _, packed in ipairs(all) do
    candidates[cmsgpack.unpack(packed).jti] = nil
  end
  for jti in pairs(candidates) do
    redis.call('HDEL', license_keys, jti)
  end
end
