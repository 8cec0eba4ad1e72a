-- drop_license: withdraw a license. No new seats are drawn on it; what becomes of those held is up to its policy (see review).
-- keys: meta customers expiries licenses withdrawn offers license_keys profile assignments sessions seats events meters spread usage refused
-- args: customer license
-- answers: dropped {} | unknown {}
-- uses: guard indexes meters events offers policies
local packed = redis.call('HGET', licenses, args.license)
if not packed then
  return answer('unknown')
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
reoffer(touched)
forget_unused_keys({[record.jti] = true})
if redis.call('HLEN', licenses) == 0 then
  redis.call('DEL', profile)
  if redis.call('HLEN', sessions) == 0 then
    redis.call('SREM', customers, args.customer)
  end
end
note('license_withdrawn', {license = args.license, product = record.product, kind = record.kind})
return answer('dropped')
