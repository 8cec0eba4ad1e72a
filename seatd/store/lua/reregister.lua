-- reregister: the licenses of a customer as this node remembers them, put back where the store has lost everything. What there
-- is already counts; and of what the node knows to be withdrawn nothing stays that is the same license still.
-- keys: meta customers expiries licenses offers license_keys profile assignments
-- args: customer remembered withdrawn
-- answers: reregistered {added dropped}
-- uses: guard offers
local added, dropped, touched, orphans = {}, {}, {}, {}
local known = args.remembered

local function put_back(id, record)
  redis.call('HSET', licenses, id, cmsgpack.pack(record))
  redis.call('ZADD', expiries, 0, args.customer .. '\0' .. id)  -- to be looked after: it may have ended
  redis.call('HSET', license_keys, record.jti, known.license_keys[record.jti])
  touch(touched, record)
  added[id] = true
end

if recovering and tonumber(redis.call('HGET', meta, 'whole_window')) == epoch then
  for id, record in pairs(known.licenses) do
    if redis.call('HEXISTS', licenses, id) == 0 and known.license_keys[record.jti] then
      put_back(id, record)
    end
  end
  for _, member in ipairs(known.assignments) do
    if added[string.match(member, '^([^%z]*)%z')] then
      redis.call('ZADD', assignments, 0, member)
    end
  end
end
if next(added) then
  redis.call('SADD', customers, args.customer)
  if known.profile then
    redis.call('SETNX', profile, cmsgpack.pack(known.profile))
  end
end

for id, gone in pairs(recovering and args.withdrawn or {}) do
  local packed = redis.call('HGET', licenses, id)
  local record = packed and cmsgpack.unpack(packed)
  -- One that was imported again since is another license.
  if record and record.jti == gone.jti and record.created_ms == gone.created_ms then
    redis.call('HDEL', licenses, id)
    redis.call('ZREM', expiries, args.customer .. '\0' .. id)
    redis.call('ZREMRANGEBYLEX', assignments, '[' .. id .. '\0', '(' .. id .. '\1')
    touch(touched, record)
    orphans[record.jti], added[id] = true, nil
    dropped[#dropped + 1] = id
  end
end
reoffer(touched)
forget_unused_keys(orphans)

local ids = {}
for id in pairs(added) do
  ids[#ids + 1] = id
end
return answer('reregistered', {added = ids, dropped = dropped})
