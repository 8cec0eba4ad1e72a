-- park: the socket is gone; the session keeps its seats until the deadline. Without `fence` (the node does not know whether
-- its attach took effect) it is enough that the session is on this node.
-- keys: meta nodes by_node deadlines orders tombs licenses offers seats assignments sessions by_user queue pace
-- args: customer session fence node
-- answers: parked {until_ms} | gone {reason}
-- uses: guard indexes orders sessions licenses seats queue
local record = load(args.session)
if not record then
  return answer('gone', {reason = 'unknown'})
end
if record.state ~= 'attached' or record.node ~= args.node or (args.fence and record.fence ~= args.fence) then
  return answer('gone', {reason = 'superseded'})
end
park(args.session, record, now + args.linger_ms)
settle()
wake()
tell_waiters()
return answer('parked', {until_ms = record.until_ms})
