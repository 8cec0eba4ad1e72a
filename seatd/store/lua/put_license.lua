-- put_license: import one license key, all of it or nothing. A newer key replaces licenses of the same id. A customer that is just
-- being deleted takes none; one that has been is there again.
-- keys: meta customers former_customers expiries licenses withdrawn offers license_keys profile seats events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters account domains audit
-- args: customer jti iat text profile records dry_run audit
-- answers: imported {added replaced} | already_imported {} | older_key {faulty} | deleted {} | stale {}
-- uses: guard indexes meters deliveries webhooks events offers policies audit
if redis.call('HGET', account, 'status') == '"deleted"' then
  return answer('deleted')
end
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

if is_stale(audit) then
  return answer('stale')
end

-- Who holds a seat that the new license no longer covers is dealt with by its policy (see policies.lua), from now on.
local function compare(id, before, record)
  if not before then
    return
  end
  record.narrowed_ms = before.narrowed_ms
  for _, domain in ipairs(before.domains) do
    if not covers(record, domain, before.product) then
      record.narrowed_ms = before.narrowed_ms or wall_ms
    end
  end
  if excess_of(id, record) > 0 then
    record.lowered_ms = before.lowered_ms or wall_ms
  end
  if before.valid_till_ms == record.valid_till_ms then
    record.warned_ms = before.warned_ms
  end
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
  note('license_imported', {license = id, product = record.product, kind = record.kind, until_ms = record.valid_till_ms})
  compare(id, known(id), record)
  redis.call('HSET', licenses, id, cmsgpack.pack(record))  -- before anything is deleted: a store that is full refuses it all
  redis.call('HDEL', withdrawn, id)
  look_again(id, count(seats, id) > 0 and wall_ms or due_ms(id, record))
end
reoffer(touched)
redis.call('HSET', license_keys, args.jti, args.text)
redis.call('SET', profile, cmsgpack.pack(args.profile))
redis.call('SADD', customers, args.customer)
redis.call('SREM', former_customers, args.customer)
redis.call('HSETNX', account, 'created_ms', wall_ms)
for _, domain in ipairs(args.records[1].domains) do
  redis.call('HSETNX', domains, domain, '{}')
end
note_change(audit)
forget_unused_keys(orphans)
return answer('imported', {added = added, replaced = replaced})
