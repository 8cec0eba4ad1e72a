-- snapshot: one consistent view of a customer: its profile, every license with its use, and how many sessions live.
-- keys: licenses seats assignments profile sessions
-- args: customer
-- answers: snapshot {profile licenses sessions}
-- uses: view indexes
local all, list = redis.call('HGETALL', licenses), {}
for i = 1, #all, 2 do
  local record = cmsgpack.unpack(all[i + 1])
  record.id = all[i]
  record.online = count(seats, record.id)
  record.used = record.kind == 'nominal' and count(assignments, record.id) or record.online
  list[#list + 1] = record
end
local packed = redis.call('GET', profile)
return answer('snapshot', {
  profile = packed and cmsgpack.unpack(packed) or nil, licenses = list, sessions = redis.call('HLEN', sessions),
})
