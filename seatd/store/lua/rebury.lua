-- rebury: ends and forced logouts that this node knows of, told again to a store that may have forgotten them. A session that
-- was resumed meanwhile under a higher fence lives, unless it was put back by a ticket that is older than its end. One that was
-- forced out and lives again is forced out again whatever its fence: nobody could resume it but by that loss.
-- keys: meta nodes by_node deadlines orders tombs cooldowns seats sessions by_user queue events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer ended
-- answers: reburied {revived}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount
local revived = 0

local function end_again(item, record)
  if not item.forced or (item.let_go and record.fence <= item.fence) then
    drop(item.session, record, {})
    revived = revived + 1
  elseif record.state ~= 'draining' then
    drain(item.session, record, item.forced)
    revived = revived + 1
  end
end

local function may_end(item, record)
  return item.forced or record.fence <= item.fence or (record.claimed and record.claimed <= item.fence)
end

for _, item in ipairs(args.ended) do
  local record = item.session and load(item.session)
  if record and may_end(item, record) then
    end_again(item, record)
  elseif item.session and not record then
    bury(item.session)
  end
  if item.cooldown_ms > 0 then
    local member = args.customer .. '\0' .. item.user .. (item.device and '\0' .. item.device or '')
    redis.call('ZADD', cooldowns, 'GT', now + item.cooldown_ms, member)
  end
end
wake()
return answer('reburied', {revived = revived})
