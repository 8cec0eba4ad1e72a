-- use_code: a one-time code is good once, and none is good that is older than one that was used.
-- keys: attempts
-- args: who step
-- answers: fresh {} | used {}
-- uses: view
local field = 'code:' .. args.who
local last = redis.call('HGET', attempts, field)
if last and cjson.decode(last).step >= args.step then
  return answer('used')
end
redis.call('HSET', attempts, field, cjson.encode({step = args.step}))
return answer('fresh')
