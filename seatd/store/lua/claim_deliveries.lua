-- claim_deliveries: the next of a webhook's deliveries whose time has come, at most `limit`: they are the caller's for `lease_ms`, then anybody's
-- again. `hook` is the webhook's record; where there is none (any more) its line is cleared, `limit` at a time.
-- keys: meta webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer webhook claim lease_ms limit
-- answers: claimed {hook deliveries}
-- uses: guard indexes deliveries
local hook, claimed = redis.call('HGET', webhooks, args.webhook), {}
for _, member in ipairs(range(delivery_times, args.webhook, args.limit)) do
  local due_ms, id = string.match(member, '^[^%z]*%z(%d+)%z(.*)$')
  local packed = redis.call('HGET', delivery_bodies, id)
  if not packed then
    redis.call('ZREM', delivery_times, member)
  elseif not hook then
    remove_delivery(cmsgpack.unpack(packed))
  elseif tonumber(due_ms) <= wall_ms then
    local record = cmsgpack.unpack(packed)
    seal(record)
    record.tries, record.claim = record.tries + 1, args.claim
    put_delivery(record, wall_ms + args.lease_ms)
    claimed[#claimed + 1] = record
  end
end
look_at_line(args.webhook)
return answer('claimed', {hook = hook or nil, deliveries = claimed})
