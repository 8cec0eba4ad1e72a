-- orders: what a node must tell one of its clients. Written together with the change itself, read with every beat;
-- the PUBLISH only wakes the node early, so a lost one costs a beat, never a logout.
-- keys: meta nodes orders

local to_wake = {}

local function order(node, fields)
  if node == '' or not redis.call('ZSCORE', nodes, node) then
    return 0
  end
  fields.number, fields.customer = redis.call('HINCRBY', meta, 'orders', 1), args.customer
  redis.call('ZADD', orders, 0, node .. '\0' .. string.format('%016d', fields.number) .. '\0' .. cmsgpack.pack(fields))
  to_wake[node] = true
  return fields.number
end

-- A word for everybody who holds a seat of a license: every node tells its own sessions.
local function tell_holders(license, fields)
  fields.type, fields.session, fields.license = 'notice', '', license
  for _, node in ipairs(redis.call('ZRANGEBYSCORE', nodes, now, '+inf')) do
    order(node, fields)
  end
end

local function wake()
  for node in pairs(to_wake) do
    redis.call('PUBLISH', 'seatd:wake:' .. node, args.partition)
  end
end
