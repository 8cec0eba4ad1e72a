-- held_by: the sessions that this partition believes to be on a node, a page at a time, each as `customer\0session`.
-- keys: by_node
-- args: node after limit
-- answers: held {sessions cursor}
-- uses: view indexes
local members = range(by_node, args.node, args.limit, args.after)
local found = {}
for i, member in ipairs(members) do
  found[i] = tail(member)
end
return answer('held', {sessions = found, cursor = #members == args.limit and members[#members] or nil})
