-- assign: give a nominal license to a user, within its limit. Of a `max` product only the largest license counts.
-- keys: meta licenses assignments audit
-- args: customer license user domain combine audit
-- answers: assigned {limit used} | already {limit used} | full {limit used} | unknown_license {} | not_nominal {} | wrong_domain {} | stale {}
-- uses: guard indexes audit
local packed = redis.call('HGET', licenses, args.license)
if not packed then
  return answer('unknown_license')
end
local record = cmsgpack.unpack(packed)
if record.kind ~= 'nominal' then
  return answer('not_nominal')
end
local covered = false
for _, domain in ipairs(record.domains) do
  covered = covered or domain == args.domain
end
if not covered then
  return answer('wrong_domain')
end

local limit, used = record.limit, count(assignments, args.license)
if args.combine == 'max' then
  limit, used = 0, 0
  local all = redis.call('HGETALL', licenses)
  for i = 1, #all, 2 do
    local other = cmsgpack.unpack(all[i + 1])
    if other.product == record.product and other.kind == 'nominal' then
      limit, used = math.max(limit, other.limit), used + count(assignments, all[i])
    end
  end
end
local member = args.license .. '\0' .. args.user
if has(assignments, member) then
  return answer('already', {limit = limit, used = used})
end
if used >= limit then
  return answer('full', {limit = limit, used = used})
end
if is_stale(audit) then
  return answer('stale')
end
redis.call('ZADD', assignments, 0, member)
note_change(audit)
return answer('assigned', {limit = limit, used = used + 1})
