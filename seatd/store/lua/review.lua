-- review: looks after one license: warns its holders that it ends, says how many seats are above the limit, and a page of holders
-- as far as its policy may have to take seats from them; a page ends when `limit` sessions have been looked at. `foreign`: of a
-- domain or product that the license no longer covers.
-- keys: meta nodes by_node deadlines orders tombs licenses withdrawn expiries seats sessions by_user queue events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer license after limit
-- answers: reviewed {everybody excess holders cursor} | settled {}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount holding licenses policies
local id = args.license
local record = known(id)

local function warn()
  for _, before_ms in ipairs(WARNINGS_MS) do
    if record.valid_till_ms - wall_ms <= before_ms then
      if before_ms < (record.warned_ms or math.huge) then
        record.warned_ms = before_ms
        note('expiring', {license = id, product = record.product, kind = record.kind, until_ms = record.valid_till_ms})
        tell_holders(id, {code = 'license_expiring', product = record.product, until_ms = record.valid_till_ms})
      end
      return
    end
  end
end

-- What is over is forgotten: nobody is above the limit, or whom the license no longer covers has long been told to go.
local function forget()
  if excess_of(id, record) <= 0 then
    record.lowered_ms = nil
  end
  if record.narrowed_ms and wall_ms >= last_ms(record, 'on_remove', record.narrowed_ms) + FORGET_MS then
    record.narrowed_ms = nil
  end
end

local function entry(holder)
  local item = {holder = holder, since_ms = wall_ms, foreign = false}
  for _, own in ipairs(sessions_of_holder(holder)) do
    for _, seat in ipairs(counted(own.record)) do
      if seat.license == id and seat.holder == holder then
        item.since_ms = math.min(item.since_ms, seat.since_ms)
        item.foreign = item.foreign or not covers(record, own.record.domain, seat.product)
      end
    end
  end
  return item
end

local function page()
  local holders = {}
  local cursor = visit_holders(id, args.after, function(holder)
    holders[#holders + 1] = entry(holder)
  end)
  return holders, cursor
end

if recovering then
  return answer('settled')
elseif not record then
  look_again(id, nil)
  return answer('settled')
end
if not args.after then
  if record.removed_ms and count(seats, id) == 0 then
    redis.call('HDEL', withdrawn, id)
  elseif not record.removed_ms then
    if wall_ms < record.valid_till_ms then
      warn()
    end
    forget()
    redis.call('HSET', licenses, id, cmsgpack.pack(record))
  end
  look_again(id, due_ms(id, record))
  wake()
end
if not (record.removed_ms or wall_ms >= record.valid_till_ms or record.narrowed_ms or record.lowered_ms) then
  return answer('settled')
end
local holders, cursor = page()
return answer('reviewed', {
  everybody = record.removed_ms ~= nil or wall_ms >= record.valid_till_ms,
  excess = record.lowered_ms and math.max(0, excess_of(id, record)) or 0, holders = holders, cursor = cursor,
})
