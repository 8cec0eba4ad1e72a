-- report: this node has told the partition all it knows about the present epoch. When every registered node has, and none of
-- their registrations can have been lost, the recovery window ends early. (A node that grants has first made its registration
-- durable; after a total loss nobody knows who was registered.)
-- keys: meta nodes kicks
-- args: node durable
-- answers: reported {recovering}
-- uses: guard
if args.durable then
  redis.call('HSET', meta, 'reported:' .. args.node, epoch)
end
if recovering then
  if tonumber(redis.call('HGET', meta, 'whole_window')) == epoch then
    return answer('reported', {recovering = true})
  end
  for _, node in ipairs(redis.call('ZRANGE', nodes, 0, -1)) do
    if tonumber(redis.call('HGET', meta, 'reported:' .. node)) ~= epoch then
      return answer('reported', {recovering = true})
    end
  end
  redis.call('HSET', meta, 'recover_until_ms', now)
  redis.call('DEL', kicks)
end
return answer('reported', {recovering = false})
