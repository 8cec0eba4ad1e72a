-- sweep: does what a beat found due for one customer, after checking every condition again, so that any number of nodes
-- may ask and once is enough.
-- keys: meta nodes by_node deadlines orders tombs licenses offers seats account users extensions assignments sessions by_user queue pace events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer due
-- answers: swept {parked ended}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount licenses reservations devices seats queue hand_on
local parked, ended = {}, {}
if recovering then
  return answer('swept', {parked = parked, ended = ended})
end

for _, item in ipairs(args.due) do
  local session = item.session
  local record = load(session)
  if not record then
    redis.call('ZREM', deadlines, address(session))
  elseif record.node ~= '' and lease_end(record.node) < now then
    if record.state ~= 'draining' then
      local stopped = lease_end(record.node)
      disown(record)
      park(session, record, (stopped > 0 and stopped or now) + args.linger_ms)
      if record.state == 'parked' then
        parked[#parked + 1] = session
      end
    else
      orphan(session, record)
    end
  end
  if record and record.losing and record.losing.until_ms <= now then
    let_go(session, record)
  end
  if record and (record.node == '' or record.state == 'draining') and record.until_ms <= now then
    drop(session, record, {})
    ended[#ended + 1] = {session = session, fence = record.fence, user = record.user}
  elseif record then
    watch(session, record)  -- a deadline that was due for nothing would be named for ever
  end
  if item.node ~= '' and (not record or record.node ~= item.node) then
    redis.call('ZREM', by_node, item.node .. '\0' .. address(session))
  end
end
hand_on()
return answer('swept', {parked = parked, ended = ended})
