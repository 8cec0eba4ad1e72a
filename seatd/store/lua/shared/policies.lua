-- policies: what a license's policy asks for once the license has ended, holds too many, or is withdrawn.
-- keys: licenses withdrawn expiries seats (with licenses and indexes)
-- All of it is by the calendar: a license has dates, so `wall_ms` counts, not the partition's own time.

local WARNINGS_MS = {300000, 3600000, 86400000}
local DEADLINE_S = 28800
local RETRY_MS = 10000
local FORGET_MS = 60000

-- The license, or what it was when it was withdrawn while somebody held it (then it has `removed_ms`).
local function known(id)
  local packed = redis.call('HGET', licenses, id) or redis.call('HGET', withdrawn, id)
  return packed and cmsgpack.unpack(packed) or nil
end

local function excess_of(id, record)
  return count(seats, id) - record.limit - record.overdraft
end

local function covers(record, domain, product)
  local covered = false
  for _, own in ipairs(record.domains) do
    covered = covered or own == domain
  end
  return covered and record.product == product
end

local function choice_of(record, why)
  return (record.policy or {})[why] or 'drain'
end

-- From when on no holder is spared.
local function last_ms(record, why, since_ms)
  if choice_of(record, why) == 'evict' then
    return since_ms
  end
  return since_ms + ((record.policy or {}).deadline_s or DEADLINE_S) * 1000
end

-- Why a seat has no ground to stand on any more, and since when. `above`: it is among those above the limit.
local function reason(record, domain, product, above)
  if record.removed_ms then
    return 'on_remove', record.removed_ms
  elseif wall_ms >= record.valid_till_ms then
    return 'on_expiry', record.valid_till_ms
  elseif record.narrowed_ms and not covers(record, domain, product) then
    return 'on_remove', record.narrowed_ms
  elseif record.lowered_ms and above then
    return 'on_lower', record.lowered_ms
  end
end

local function must_go(record, why, since_ms, busy)
  local choice = choice_of(record, why)
  return wall_ms >= last_ms(record, why, since_ms) or (choice == 'after_call' and not busy)
end

-- The next moment before the end at which holders are warned; the end itself after the last one.
local function next_warning_ms(record)
  for i = #WARNINGS_MS, 1, -1 do
    if record.valid_till_ms - WARNINGS_MS[i] > wall_ms then
      return record.valid_till_ms - WARNINGS_MS[i]
    end
  end
  return record.valid_till_ms
end

-- When somebody must look after the license; nil: there is nothing left to be done.
local function due_ms(id, record)
  local due = nil
  local function press(why, since_ms)
    local last = last_ms(record, why, since_ms)
    local at = choice_of(record, why) == 'drain' and wall_ms < last and last or wall_ms + RETRY_MS
    due = math.min(due or at, at)
  end
  if record.removed_ms or wall_ms >= record.valid_till_ms then
    if count(seats, id) > 0 then
      press(reason(record))
    end
    return due
  end
  due = next_warning_ms(record)
  if record.narrowed_ms then
    press('on_remove', record.narrowed_ms)
  end
  if record.lowered_ms then
    press('on_lower', record.lowered_ms)
  end
  return due
end

local function look_again(id, due)
  local member = args.customer .. '\0' .. id
  if due then
    redis.call('ZADD', expiries, due, member)
  else
    redis.call('ZREM', expiries, member)
  end
end
