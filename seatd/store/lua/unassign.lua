-- unassign: take a nominal license back from a user. A live session keeps the seat until it leaves.
-- keys: meta assignments
-- args: customer license user
-- answers: unassigned {} | unknown {}
-- uses: guard
if redis.call('ZREM', assignments, args.license .. '\0' .. args.user) == 1 then
  return answer('unassigned')
end
return answer('unknown')
