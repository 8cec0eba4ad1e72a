-- close: a clean end, or the confirmed end of a draining session: its seats are free now.
-- The session id is buried even when it is unknown: a sign-in whose answer was lost can then no longer take effect.
-- keys: meta nodes by_node deadlines orders tombs licenses offers seats account users extensions assignments sessions by_user queue pace events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer session fence delivered acknowledged
-- answers: closed {} | gone {reason}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount licenses reservations devices seats queue hand_on many
local record = load(args.session)
if not record then
  bury(args.session)
  return answer('gone', {reason = 'unknown'})
end
if record.fence ~= args.fence then
  return answer('gone', {reason = 'superseded'})
end
drop(args.session, record, {delivered = args.delivered, acknowledged = args.acknowledged, closed = true})
hand_on()
return answer('closed')
