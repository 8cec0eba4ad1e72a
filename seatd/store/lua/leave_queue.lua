-- leave_queue: a waiter gives up. One who waited with his hello has no session then; one who waited within a session keeps it.
-- `served`: it waits no longer, and has these seats. Repeated after a lost answer it says the same, for the seats tell.
-- keys: meta nodes by_node deadlines orders tombs licenses offers seats account users extensions assignments sessions by_user queue pace events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer session fence
-- answers: left {} | served {seats}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount licenses reservations devices seats queue hand_on
local record = load(args.session)
if not record or record.fence ~= args.fence then
  return answer('left')
end
if not record.waiting then
  return answer('served', {seats = shown(record.seats)})
end
if record.state == 'waiting' then
  drop(args.session, record, {})
else
  unqueue(record)
  save(args.session, record)
end
hand_on()
return answer('left')
