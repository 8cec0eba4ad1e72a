-- let_go: the client knows which seats it has lost: they no longer count. Only up to `order`, the last that told of one.
-- keys: meta nodes by_node deadlines orders tombs licenses offers seats account users extensions assignments sessions by_user queue pace events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer session fence order
-- answers: freed {} | gone {reason}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount licenses reservations devices seats queue hand_on
local record = load(args.session)
if not record then
  return answer('gone', {reason = 'unknown'})
end
if record.fence ~= args.fence or record.state ~= 'attached' then
  return answer('gone', {reason = 'superseded'})
end
if record.losing and record.losing.order <= args.order then
  let_go(args.session, record)
end
hand_on()
return answer('freed')
