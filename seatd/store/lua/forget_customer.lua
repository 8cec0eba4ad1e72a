-- forget_customer: the last step of a customer's deletion: all that is kept of it goes, but for its audit trail, its invoice
-- statements and the figures of its use, which name nobody and may have to be billed. Not while it has a session: then somebody
-- looks again. One that is not to be deleted (any more) stays.
-- keys: meta customers former_customers expiries deliveries licenses withdrawn offers license_keys profile seats assignments sessions by_user queue pace account domains users extensions resources webhooks delivery_times delivery_bodies dead_letters events refused
-- args: customer
-- answers: forgotten {} | in_use {} | kept {}
-- uses: guard deletion
local LATER_MS = 10000

if redis.call('HGET', account, 'status') ~= '"deleted"' then
  schedule_deletion(wall_ms + LATER_MS)
  return answer('kept')
end
if recovering or redis.call('HLEN', sessions) > 0 then
  redis.call('ZADD', expiries, wall_ms + LATER_MS, args.customer .. '\0')
  return answer('in_use')
end

for _, source in ipairs({licenses, withdrawn}) do
  for _, id in ipairs(redis.call('HKEYS', source)) do
    redis.call('ZREM', expiries, args.customer .. '\0' .. id)
  end
end
redis.call('ZREM', expiries, args.customer .. '\0')
for _, webhook in ipairs(redis.call('HKEYS', webhooks)) do
  redis.call('ZREM', deliveries, args.customer .. '\0' .. webhook)
end
for _, key in ipairs({
  licenses, withdrawn, offers, license_keys, profile, seats, assignments, sessions, by_user, queue, pace, account, domains,
  users, extensions, resources, webhooks, delivery_times, delivery_bodies, dead_letters, events, refused,
}) do
  redis.call('UNLINK', key)
end
redis.call('SREM', customers, args.customer)
redis.call('SADD', former_customers, args.customer)
return answer('forgotten')
