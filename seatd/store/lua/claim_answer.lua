-- claim_answer: somebody is about to do what is known by this name (see idempotency.py); or it has been done, or is being done. What
-- is too old goes, and the oldest when there are too many, but for those that are still being done. A claim that was never kept counts
-- no more after a while.
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

-- The oldest `extra` that nobody waits for, of the oldest thousand.
local function done_with(extra)
  local found, oldest = {}, redis.call('ZRANGE', idempotency_times, 0, extra + 1000, 'WITHSCORES')
  for i = 1, #oldest, 2 do
    local is_open = string.sub(redis.call('HGET', idempotency, oldest[i]) or '', 1, 1) == '?'
    if not is_open or tonumber(oldest[i + 1]) <= args.abandoned_ms then
      found[#found + 1] = oldest[i]
    end
    if #found == extra then
      break
    end
  end
  return found
end

local extra = redis.call('ZCARD', idempotency_times) + 1 - args.most
if extra > 0 then
  forget(done_with(extra))
end
redis.call('HSET', idempotency, args.name, '?' .. args.record)
redis.call('ZADD', idempotency_times, args.at_ms, args.name)
return answer('claimed')
