-- leave_queue: a waiter gives up. One who waited with his hello has no session then; one who waited within a session keeps it.
-- keys: meta nodes by_node deadlines orders tombs licenses offers seats assignments sessions by_user queue pace
-- args: customer session fence
-- answers: left {} | served {}
-- uses: guard indexes orders sessions licenses seats queue
local record = load(args.session)
if not record or not record.waiting or record.fence ~= args.fence then
  return answer('served')
end
if record.state == 'waiting' then
  drop(args.session, record, {})
else
  unqueue(record)
  save(args.session, record)
end
settle()
wake()
tell_waiters()
return answer('left')
