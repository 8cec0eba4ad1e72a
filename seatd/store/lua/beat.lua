-- beat: renews this node's lease in the partition; answers its orders, and what is due: sessions of nodes whose lease
-- ended, parked and draining sessions past their deadline. `done` is the last order this node has carried out.
-- keys: meta nodes orders by_node deadlines tombs cooldowns
-- args: node lease_ms joined leave done limit
-- answers: beat {now_ms wall_ms recover_until_ms lapsed forgotten orders due more}
-- uses: guard indexes
-- Nobody is left to carry out the orders of a node that holds no session and has no lease.
local function forget(node)
  redis.call('ZREM', nodes, node)
  redis.call('HDEL', meta, 'reported:' .. node)
  redis.call('ZREMRANGEBYLEX', orders, '[' .. node .. '\0', '(' .. node .. '\1')
end

-- Now and then is enough: what lies between is far less than a time without a beat that would not count (see guard).
if not last_ms or now == last_ms or now - last_ms >= args.jump_ms / 4 then
  redis.call('HSET', meta, 'clock_ms', now, 'offset_ms', now - wall_ms)
end

local previous = tonumber(redis.call('ZSCORE', nodes, args.node))
local lapsed = (args.joined and (not previous or previous < now)) or false
redis.call('ZREMRANGEBYLEX', orders, '[' .. args.node .. '\0', '(' .. args.node .. '\0' .. string.format('%016d', args.done + 1))

if not args.leave then
  redis.call('ZADD', nodes, now + args.lease_ms, args.node)
elseif #range(by_node, args.node, 1) == 0 then
  forget(args.node)
else
  redis.call('ZADD', nodes, now, args.node)
end

local mine = range(orders, args.node, args.limit)
local told = {}
for i, member in ipairs(mine) do
  told[i] = cmsgpack.unpack(tail(tail(member)))
end

local due = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', deadlines, '-inf', now, 'LIMIT', 0, args.limit)) do
  local customer, session = string.match(member, '^([^%z]*)%z(.*)$')
  due[#due + 1] = {customer = customer, session = session}
end
for _, node in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', '(' .. now, 'LIMIT', 0, 16)) do
  local held = range(by_node, node, args.limit)
  for _, member in ipairs(held) do
    local customer, session = string.match(tail(member), '^([^%z]*)%z(.*)$')
    due[#due + 1] = {customer = customer, session = session, node = node}
  end
  if #held == 0 then
    forget(node)
  end
end

redis.call('ZREMRANGEBYSCORE', tombs, '-inf', now)
redis.call('ZREMRANGEBYSCORE', cooldowns, '-inf', now)
return answer('beat', {
  now_ms = now, wall_ms = wall_ms, recover_until_ms = recover_until_ms, lapsed = lapsed,
  forgotten = not previous, orders = told, due = due,
  more = #mine == args.limit or #due >= args.limit,
})
