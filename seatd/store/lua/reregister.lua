-- reregister: the licenses of a customer as this node remembers them, its account and resources, put back where the store has lost
-- everything. What there is already counts; and of what the node knows to be withdrawn nothing stays that is the same license still.
-- keys: meta customers expiries licenses offers license_keys profile assignments account domains resources
-- args: customer remembered withdrawn
-- answers: reregistered {added dropped}
-- uses: guard offers deletion
local added, dropped, touched, orphans = {}, {}, {}, {}
local known = args.remembered

local function put_back(id, record)
  redis.call('HSET', licenses, id, cmsgpack.pack(record))
  redis.call('ZADD', expiries, 0, args.customer .. '\0' .. id)  -- to be looked after: it may have ended
  redis.call('HSET', license_keys, record.jti, known.license_keys[record.jti])
  for _, domain in ipairs(record.domains) do
    redis.call('HSETNX', domains, domain, '{}')
  end
  touch(touched, record)
  added[id] = true
end

-- Above all its status: a customer that was suspended must not come back as one that is not. Once in a recovery: what is changed
-- after that counts.
local function put_back_account()
  if next(known.account or {}) and tonumber(redis.call('HGET', account, 'restored') or nil) ~= epoch then
    for field, value in pairs(known.account) do
      redis.call('HSETNX', account, field, value)
    end
    redis.call('HSET', account, 'restored', epoch)
    redis.call('SADD', customers, args.customer)
    schedule_deletion()
    for field, value in pairs(known.resources or {}) do
      redis.call('HSETNX', resources, field, value)
    end
  end
end

if recovering and tonumber(redis.call('HGET', meta, 'whole_window')) == epoch then
  put_back_account()
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
