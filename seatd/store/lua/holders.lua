-- holders: a page of a license's users: those assigned (nominal) or those who hold a seat of it (competitive). With `members`, of
-- the index of these, just those.
-- keys: licenses seats assignments sessions by_user
-- args: customer license offset size members
-- answers: holders {items total} | unknown {}
-- uses: view indexes
local packed = redis.call('HGET', licenses, args.license)
if not packed then
  return answer('unknown')
end
local source = cmsgpack.unpack(packed).kind == 'nominal' and assignments or seats

local function online(user)
  local sessions_open, since_ms = 0, nil
  for _, member in ipairs(range(by_user, user)) do
    local found = redis.call('HGET', sessions, tail(member))
    local record = found and cmsgpack.unpack(found)
    for _, seat in ipairs(record and record.state ~= 'draining' and record.seats or {}) do
      if seat.license == args.license then
        sessions_open = sessions_open + 1
        since_ms = math.min(since_ms or seat.since_ms, seat.since_ms)
      end
    end
  end
  return sessions_open, since_ms
end

local items = {}
local head = args.license
for i, member in ipairs(args.members or redis.call(
  'ZRANGEBYLEX', source, '[' .. head .. '\0', '(' .. head .. '\1', 'LIMIT', args.offset, args.size
)) do
  local user = string.match(tail(member), '^([^@]*@[^/]*)')
  local sessions_open, since_ms = online(user)
  items[i] = {user = user, sessions = sessions_open, since_ms = since_ms, assigned = source == assignments}
end
return answer('holders', {items = items, total = count(source, head)})
