-- unassign: take a nominal license back from a user. A live session keeps the seat until it leaves.
-- keys: meta assignments audit
-- args: customer license user audit
-- answers: unassigned {} | unknown {} | stale {}
-- uses: guard indexes audit
local member = args.license .. '\0' .. args.user
if not has(assignments, member) then
  return answer('unknown')
elseif is_stale(audit) then
  return answer('stale')
end
redis.call('ZREM', assignments, member)
note_change(audit)
return answer('unassigned')
