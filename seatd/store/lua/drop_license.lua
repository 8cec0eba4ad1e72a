-- drop_license: withdraw a license. No new seats are drawn on it; sessions that hold one keep it until they leave.
-- keys: meta customers expiries licenses offers license_keys profile assignments sessions
-- args: customer license
-- answers: dropped {} | unknown {}
-- uses: guard offers
local packed = redis.call('HGET', licenses, args.license)
if not packed then
  return answer('unknown')
end
local record, touched = cmsgpack.unpack(packed), {}
touch(touched, record)
redis.call('HDEL', licenses, args.license)
redis.call('ZREM', expiries, args.customer .. '\0' .. args.license)
redis.call('ZREMRANGEBYLEX', assignments, '[' .. args.license .. '\0', '(' .. args.license .. '\1')
reoffer(touched)
forget_unused_keys({[record.jti] = true})
if redis.call('HLEN', licenses) == 0 then
  redis.call('DEL', profile)
  if redis.call('HLEN', sessions) == 0 then
    redis.call('SREM', customers, args.customer)
  end
end
return answer('dropped')
