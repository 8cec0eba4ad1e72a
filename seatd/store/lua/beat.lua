-- beat: renews this node's lease in the partition; answers its orders, and what is due: sessions of nodes whose lease
-- ended, parked and draining sessions past their deadline, licenses to look after; at most `limit` orders, sessions and licenses.
-- `done` is the last order this node has carried out. `more`: there are more orders, or more sessions.
-- keys: meta nodes orders by_node deadlines tombs cooldowns kicks expiries
-- args: node lease_ms joined leave done limit
-- answers: beat {now_ms wall_ms recover_until_ms lapsed orders due licenses next_ms more}
-- uses: guard indexes
-- Nobody is left to carry out the orders of a node that holds no session and has no lease.
local function forget(node)
  redis.call('ZREM', nodes, node)
  redis.call('HDEL', meta, 'reported:' .. node)
  redis.call('ZREMRANGEBYLEX', orders, '[' .. node .. '\0', '(' .. node .. '\1')
end

-- A recovery waits for it: what it held may be lost, and its clients may use their seats beyond the end of its lease.
local function is_awaited(node)
  return recovering and tonumber(redis.call('HGET', meta, 'reported:' .. node)) ~= epoch
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
elseif #range(by_node, args.node, 1) == 0 and not is_awaited(args.node) then
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
local function name_due(member, node)
  local customer, session = string.match(member, '^([^%z]*)%z(.*)$')
  due[#due + 1] = {customer = customer, session = session, node = node}
end

-- What dead nodes have left; those that have left nothing are forgotten.
local left = {}
for _, node in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', '(' .. now, 'LIMIT', 0, 16)) do
  local held = range(by_node, node, math.max(1, args.limit - #left))
  for _, member in ipairs(held) do
    left[#left + 1] = {member = tail(member), node = node}
  end
  if #held == 0 and not is_awaited(node) then
    forget(node)
  end
end

-- Of what is due by itself and what dead nodes have left neither keeps the other waiting: each has half, and what the other leaves.
local by_itself = math.max(math.ceil(args.limit / 2), args.limit - #left)
for _, member in ipairs(redis.call('ZRANGEBYSCORE', deadlines, '-inf', now, 'LIMIT', 0, by_itself)) do
  name_due(member)
end
for i = 1, math.min(#left, args.limit - #due) do
  name_due(left[i].member, left[i].node)
end

local look_after = {}
if not recovering then
  for i, member in ipairs(redis.call('ZRANGEBYSCORE', expiries, '-inf', wall_ms, 'LIMIT', 0, args.limit)) do
    local customer, license = string.match(member, '^([^%z]*)%z(.*)$')
    look_after[i] = {customer = customer, license = license}
  end
end
local soonest = redis.call('ZRANGEBYSCORE', expiries, '(' .. wall_ms, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)

redis.call('ZREMRANGEBYSCORE', tombs, '-inf', now)
redis.call('ZREMRANGEBYSCORE', cooldowns, '-inf', now)
if not recovering then
  redis.call('DEL', kicks)
end
return answer('beat', {
  now_ms = now, wall_ms = wall_ms, recover_until_ms = recover_until_ms, lapsed = lapsed, orders = told, due = due,
  licenses = look_after, next_ms = tonumber(soonest[2]),
  more = #mine == args.limit or #due >= args.limit,
})
