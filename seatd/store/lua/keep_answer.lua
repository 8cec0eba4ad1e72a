-- keep_answer: what was claimed has been done, and this was the answer; without `record`: it was not done.
-- keys: idempotency idempotency_times
-- args: name record
-- answers: kept {} | forgotten {} | unknown {}
-- uses: view
if redis.call('HEXISTS', idempotency, args.name) == 0 then
  return answer('unknown')
elseif args.record then
  redis.call('HSET', idempotency, args.name, args.record)
  return answer('kept')
end
redis.call('HDEL', idempotency, args.name)
redis.call('ZREM', idempotency_times, args.name)
return answer('forgotten')
