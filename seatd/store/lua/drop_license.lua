-- drop_license: withdraw a license. No new seats are drawn on it; what becomes of those held is up to its policy (see review).
-- keys: meta expiries licenses withdrawn offers license_keys assignments seats events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters audit
-- args: customer license audit
-- answers: dropped {} | unknown {} | stale {}
-- uses: guard indexes meters deliveries webhooks events offers policies audit
local packed = redis.call('HGET', licenses, args.license)
if not packed then
  return answer('unknown')
end
if is_stale(audit) then
  return answer('stale')
end
local record, touched = cmsgpack.unpack(packed), {}
touch(touched, record)
redis.call('HDEL', licenses, args.license)
if count(seats, args.license) > 0 then
  record.removed_ms = wall_ms
  redis.call('HSET', withdrawn, args.license, cmsgpack.pack(record))
  look_again(args.license, wall_ms)
else
  look_again(args.license, nil)
end
redis.call('ZREMRANGEBYLEX', assignments, '[' .. args.license .. '\0', '(' .. args.license .. '\1')
note_change(audit)
reoffer(touched)
forget_unused_keys({[record.jti] = true})
note('license_withdrawn', {license = args.license, product = record.product, kind = record.kind})
return answer('dropped')
