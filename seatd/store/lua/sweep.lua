-- sweep: does what a beat found due for one customer, after checking every condition again, so that any number of nodes
-- may ask and once is enough.
-- keys: meta nodes by_node deadlines orders tombs licenses offers seats assignments sessions by_user queue pace
-- args: customer due
-- answers: swept {parked ended}
-- uses: guard indexes orders sessions licenses seats queue
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
    if record.state == 'attached' then
      local stopped = lease_end(record.node)
      park(session, record, (stopped > 0 and stopped or now) + args.linger_ms)
      parked[#parked + 1] = session
    else
      orphan(session, record)
    end
  end
  if record and record.state ~= 'attached' and record.until_ms <= now then
    drop(session, record, {})
    ended[#ended + 1] = session
  end
  if item.node ~= '' and (not record or record.node ~= item.node) then
    redis.call('ZREM', by_node, item.node .. '\0' .. address(session))
  end
end
settle()
wake()
tell_waiters()
return answer('swept', {parked = parked, ended = ended})
