-- attach: resume a session on this node. The fence grows, so whatever the old node still does is refused.
-- keys: meta nodes by_node deadlines orders tombs licenses offers seats assignments sessions by_user queue pace
-- args: customer session secret user node
-- answers: granted {fence device seats need busy losing} | gone {reason} | lapsed {} | recovering {}
-- uses: guard indexes orders sessions licenses reservations devices seats queue hand_on
if lease_end(args.node) < now then
  return answer('lapsed')
end
local record = load(args.session)
if not record and recovering and not has(tombs, args.session) then
  return answer('recovering')  -- the store may have lost it, and its node not told of it yet: the client tries again
end
if not record or record.state == 'draining' or record.state == 'waiting' then
  return answer('gone', {reason = has(tombs, args.session) and 'ended' or 'unknown'})
end
if record.secret ~= args.secret or record.user ~= args.user then
  return answer('gone', {reason = 'unknown'})
end

local from, fence = record.node, record.fence
unqueue(record)
detach(args.session, record)
record.state, record.node, record.until_ms = 'attached', args.node, 0
-- Resumes that the store has lost had fences too, and their nodes still believe in them: this one is later than all of those.
record.fence = fence + (recovering and 1000 or 1)
save(args.session, record)
watch(args.session, record)
redis.call('ZADD', by_node, 0, args.node .. '\0' .. address(args.session))
if from ~= args.node then
  order(from, {type = 'superseded', session = args.session, fence = fence})
end
hand_on()
return answer('granted', {
  fence = record.fence, device = record.device, seats = shown(record.seats), need = record.need, busy = record.busy,
  losing = record.losing and record.losing.order,
})
