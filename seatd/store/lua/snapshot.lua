-- snapshot: one consistent view of a customer: its account (field, value, ...) and profile, every license with its use, how many
-- sessions live, and how many resources of each product are switched on in each domain. A license is {id, record, online, assigned}.
-- Records and profile go out as they are kept, packed already: to unpack them and pack them anew was most of the work.
-- keys: licenses seats assignments resources account profile sessions
-- args: customer
-- answers: snapshot {account profile licenses sessions resources}
-- uses: indexes resources
local all, parts = redis.call('HGETALL', licenses), {}
local is_assigned = redis.call('EXISTS', assignments) == 1
for i = 1, #all, 2 do
  local id = all[i]
  parts[#parts + 1] = '\148' .. cmsgpack.pack(id)  -- a list of four
  parts[#parts + 1] = all[i + 1]
  parts[#parts + 1] = cmsgpack.pack(count(seats, id), is_assigned and count(assignments, id) or 0)
end
return table.concat({
  '\147', cmsgpack.pack('snapshot', 0),  -- a list of three; it only reads, so it says nothing of the epoch
  '\133', cmsgpack.pack('account', redis.call('HGETALL', account), 'profile'),  -- a map of five
  redis.call('GET', profile) or cmsgpack.pack(nil),
  cmsgpack.pack('sessions', redis.call('HLEN', sessions), 'resources', all_switched(), 'licenses'),
  '\221', struct.pack('>I4', #all / 2), table.concat(parts),  -- a list of so many
})
