-- claim_answer: somebody is about to do what is known by this name (see idempotency.py); or it has been done, or is being done. What
-- is too old goes, and the oldest when there are too many. A claim that was never kept counts no more after a while.
-- keys: idempotency idempotency_times
-- args: name record at_ms since_ms abandoned_ms most
-- answers: claimed {} | known {record}
-- uses: view
local function forget(names)
  for _, name in ipairs(names) do
    redis.call('HDEL', idempotency, name)
    redis.call('ZREM', idempotency_times, name)
  end
end

forget(redis.call('ZRANGEBYSCORE', idempotency_times, '-inf', args.since_ms, 'LIMIT', 0, 100))
local kept = redis.call('HGET', idempotency, args.name)
if kept then
  local is_open = string.sub(kept, 1, 1) == '?'
  if not is_open or tonumber(redis.call('ZSCORE', idempotency_times, args.name)) > args.abandoned_ms then
    return answer('known', {record = kept})
  end
end
local extra = redis.call('ZCARD', idempotency_times) + 1 - args.most
if extra > 0 then
  forget(redis.call('ZRANGE', idempotency_times, 0, extra - 1))
end
redis.call('HSET', idempotency, args.name, '?' .. args.record)
redis.call('ZADD', idempotency_times, args.at_ms, args.name)
return answer('claimed')
