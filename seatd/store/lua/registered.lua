-- registered: what the registry has of a customer, for a node to remember: its licenses, their keys and assignments, its account,
-- and the resources that are switched on. It is guarded though it changes nothing, so that the answer of a store that may have lost
-- some of it is known as such.
-- keys: meta licenses license_keys profile assignments account resources
-- args: customer
-- answers: registered {licenses license_keys profile assignments account resources}
-- uses: guard
local function hash(key, read)
  local all, found = redis.call('HGETALL', key), {}
  for i = 1, #all, 2 do
    found[all[i]] = read(all[i + 1])
  end
  return found
end

local function as_it_is(text)
  return text
end

local packed = redis.call('GET', profile)
return answer('registered', {
  licenses = hash(licenses, cmsgpack.unpack), license_keys = hash(license_keys, as_it_is),
  profile = packed and cmsgpack.unpack(packed) or nil, assignments = redis.call('ZRANGE', assignments, 0, -1),
  account = hash(account, as_it_is), resources = hash(resources, as_it_is),
})
