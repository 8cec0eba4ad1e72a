-- deletion: when a customer is to be deleted, it is due like a license that ends: under the license "", which no license is called.
-- keys: expiries account

-- Not before `soonest_ms`, if that is given.
local function schedule_deletion(soonest_ms)
  local member, at_ms = args.customer .. '\0', tonumber(redis.call('HGET', account, 'delete_at_ms') or nil)
  if at_ms then
    redis.call('ZADD', expiries, math.max(at_ms, soonest_ms or at_ms), member)
  else
    redis.call('ZREM', expiries, member)
  end
end
