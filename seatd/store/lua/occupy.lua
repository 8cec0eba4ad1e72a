-- occupy: switch a resource (a chat gateway, an e-mail profile) on, within the limit of the licenses of its product that cover the
-- domain and are valid now. With `combine` max only the largest of them counts, and all that is switched on in its domains counts
-- against it; otherwise they count together.
-- keys: meta licenses resources account audit
-- args: customer product domain resource record combine audit
-- answers: occupied {limit used} | already {limit used} | full {limit used} | not_licensed {} | suspended {} | stale {}
-- uses: guard resources audit
local function counts(record)
  if record.product ~= args.product or wall_ms < record.valid_from_ms or wall_ms >= record.valid_till_ms then
    return false
  end
  for _, own in ipairs(record.domains) do
    if own == args.domain then
      return true
    end
  end
  return false
end

local found = {}
for _, packed in ipairs(redis.call('HVALS', licenses)) do
  local record = cmsgpack.unpack(packed)
  if counts(record) then
    if args.combine == 'max' and found[1] and record.limit > found[1].limit then
      found = {record}
    elseif args.combine ~= 'max' or not found[1] then
      found[#found + 1] = record
    end
  end
end

local limit, where, known = 0, {}, {}
for _, record in ipairs(found) do
  limit = limit + record.limit
  for _, own in ipairs(record.domains) do
    if not known[own] then
      known[own], where[#where + 1] = true, own
    end
  end
end
local used = switched_on(args.product, where)
local field = args.product .. ' ' .. args.domain .. ' ' .. args.resource
local status = redis.call('HGET', account, 'status')

if redis.call('HEXISTS', resources, field) == 1 then
  return answer('already', {limit = limit, used = used})
elseif status == '"suspended"' or status == '"deleted"' then
  return answer('suspended')
elseif #found == 0 then
  return answer('not_licensed')
elseif used >= limit then
  return answer('full', {limit = limit, used = used})
elseif is_stale(audit) then
  return answer('stale')
end
redis.call('HSET', resources, field, args.record)
note_change(audit)
return answer('occupied', {limit = limit, used = used + 1})
