-- park: the socket is gone; the session keeps its seats, or its place in the queue, until the deadline. Without `fence` (the node does not know whether
-- its attach took effect) it is enough that the session is on this node and that `secret` is the session's own.
-- keys: meta nodes by_node deadlines orders tombs licenses offers seats account users extensions assignments sessions by_user queue pace events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer session fence secret node
-- answers: parked {until_ms} | gone {reason}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount licenses reservations devices seats queue hand_on many
local record = load(args.session)
if not record then
  return answer('gone', {reason = 'unknown'})
end
local proven = record.fence == args.fence or (not args.fence and record.secret == args.secret)
if record.state == 'draining' or record.node == '' or record.node ~= args.node or not proven then
  return answer('gone', {reason = 'superseded'})
end
park(args.session, record, now + args.linger_ms)
hand_on()
return answer('parked', {until_ms = record.until_ms})
