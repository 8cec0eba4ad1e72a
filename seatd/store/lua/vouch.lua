-- vouch: who runs the engine knows that its restart lost nothing of the run `previous`: go on without a recovery window.
-- keys: meta
-- args: previous
-- answers: vouched {} | stranger {}
local replid = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if redis.call('HGET', meta, 'replid') ~= args.previous then
  return cmsgpack.pack({'stranger', 0, {}})
end
redis.call('HSET', meta, 'replid', replid)
return cmsgpack.pack({'vouched', 0, {}})
