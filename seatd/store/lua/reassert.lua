-- reassert: after this node's lease had lapsed: which of the sessions that it holds are still its own? One that was parked
-- meanwhile, and that nobody has resumed, is attached again.
-- keys: meta nodes by_node deadlines orders tombs seats sessions by_user queue
-- args: customer node held
-- answers: reasserted {lost}
-- uses: guard indexes orders sessions
local lost = {}
for _, item in ipairs(args.held) do
  local record = load(item.session)
  local same = record and record.fence == item.fence
  if same and record.state == 'parked' then
    redis.call('ZREM', deadlines, address(item.session))
    redis.call('ZADD', by_node, 0, args.node .. '\0' .. address(item.session))
    record.state, record.node, record.until_ms = 'attached', args.node, 0
    save(item.session, record)
  elseif not (same and record.node == args.node) then
    lost[#lost + 1] = item.session
  end
end
return answer('reasserted', {lost = lost})
