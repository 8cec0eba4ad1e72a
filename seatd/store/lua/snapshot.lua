-- snapshot: one consistent view of a customer: its account and profile, every license with its use, how many sessions live, and how
-- many resources of each product are switched on.
-- keys: licenses seats assignments resources account profile sessions
-- args: customer
-- answers: snapshot {account profile licenses sessions resources}
-- uses: view indexes resources
local all, list = redis.call('HGETALL', licenses), {}
for i = 1, #all, 2 do
  local record = cmsgpack.unpack(all[i + 1])
  record.id = all[i]
  record.online = count(seats, record.id)
  record.used = record.kind == 'nominal' and count(assignments, record.id) or record.online
  record.resources = switched_on(record.product, record.domains)
  list[#list + 1] = record
end
local facts = redis.call('HGETALL', account)
local said = {}
for i = 1, #facts, 2 do
  said[facts[i]] = facts[i + 1]
end
local packed = redis.call('GET', profile)
return answer('snapshot', {
  account = said, profile = packed and cmsgpack.unpack(packed) or nil, licenses = list, sessions = redis.call('HLEN', sessions),
  resources = per_product(),
})
