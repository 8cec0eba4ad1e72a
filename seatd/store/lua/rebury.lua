-- rebury: sessions that this node knows to have ended, told again to a store that may have forgotten it.
-- keys: meta nodes by_node deadlines orders tombs cooldowns seats sessions by_user queue
-- args: customer ended
-- answers: reburied {revived}
-- uses: guard indexes orders sessions
local revived = 0
for _, item in ipairs(args.ended) do
  local record = load(item.session)
  if record and record.fence <= item.fence then
    drop(item.session, record, {})
    revived = revived + 1
  else
    bury(item.session)
  end
  if item.cooldown_ms > 0 then
    redis.call('ZADD', cooldowns, 'GT', now + item.cooldown_ms, args.customer .. '\0' .. item.user)
  end
end
wake()
return answer('reburied', {revived = revived})
