-- put_license: import one license key, all of it or nothing. A newer key replaces licenses of the same id.
-- keys: meta customers expiries licenses offers license_keys profile
-- args: customer jti iat text profile records dry_run
-- answers: imported {added replaced} | already_imported {} | older_key {faulty}
-- uses: guard offers
local added, replaced, faulty, missing = {}, {}, {}, false
for _, record in ipairs(args.records) do
  local packed = redis.call('HGET', licenses, record.id)
  local standing = packed and cmsgpack.unpack(packed)
  if not standing then
    added[#added + 1], missing = record.id, true
  elseif standing.jti ~= args.jti then
    replaced[#replaced + 1], missing = record.id, true
    if standing.iat > args.iat then
      faulty[#faulty + 1] = record.id
    end
  end
end
if not missing then
  return answer('already_imported')
end
if #faulty > 0 then
  return answer('older_key', {faulty = faulty})
end
if args.dry_run then
  return answer('imported', {added = added, replaced = replaced})
end

local touched, orphans = {}, {}
for _, record in ipairs(args.records) do
  local packed = redis.call('HGET', licenses, record.id)
  if packed then
    local standing = cmsgpack.unpack(packed)
    touch(touched, standing)
    orphans[standing.jti] = true
  end
  touch(touched, record)
  record.jti, record.iat, record.created_ms = args.jti, args.iat, wall_ms
  local id = record.id
  redis.call('HSET', licenses, id, cmsgpack.pack(record))
  redis.call('ZADD', expiries, record.valid_till_ms, args.customer .. '\0' .. id)
end
reoffer(touched)
redis.call('HSET', license_keys, args.jti, args.text)
redis.call('SET', profile, cmsgpack.pack(args.profile))
redis.call('SADD', customers, args.customer)
forget_unused_keys(orphans)
return answer('imported', {added = added, replaced = replaced})
