-- events: what happened to seats. It is noted while a script runs, and settled once, when it answers: into the stream, and into the meters
-- (see meters.lua), so that what the meters say follows from the stream. Webhooks are told of some (see webhooks.lua).
-- keys: events refused seats (with meters: meters spread usage)
-- An entry's id is the time by the server's clock, and a number; its one field, `e`, is packed: type, and as far as they apply license,
-- product, kind, domain, user, session, holder (where it is not the user), overdraft, code, times, by, reason, until_ms, counts.

local answer_plainly = answer
local note, note_seat, refusal, scopes_of, recount, answer

do

local HEAL_MS, REMEMBERED, MOST_METERS, RECOUNT_MS = 5000, 16, 5000, 60000
local MENDED = {no_seat = true, queue_full = true, wait_timeout = true}

-- Why a store may refuse to write for now.
local MAY_NOT_WRITE = {OOM = true, MISCONF = true, READONLY = true, NOREPLICAS = true}

local notes, given_back, pending = {}, {}, {}

function note(kind, fields)
  fields.type = kind
  notes[#notes + 1] = fields
  return fields
end

-- The holder's seat was really added (granted, restored) or taken away (freed). One that is only put back was not away.
function note_seat(kind, seat, session, record)
  local member, overdraft = seat.license .. '\0' .. seat.holder, seat.overdraft or nil
  local before = given_back[member]
  given_back[member] = nil
  if kind == 'restored' and before and before.overdraft == overdraft then
    before.type = 'back'
    return
  end
  local item = note(kind, {
    license = seat.license, product = seat.product, kind = seat.kind, domain = record.domain, user = record.user, session = session,
    holder = seat.holder ~= record.user and seat.holder or nil, overdraft = overdraft,
  })
  given_back[member] = kind == 'freed' and item or nil
end

-- Notes a denial and answers it. `license` is the one that had no room, if that is known. (What is denied while the partition recovers the
-- nodes tell, added up: whole crowds come back then.)
function refusal(session, who, need, denial, license)
  if denial.code ~= 'recovering' then
    note('denied', {
      code = denial.code, product = denial.product or (need[1] and need[1].product), license = MENDED[denial.code] and license or nil,
      domain = who.domain, user = who.user, session = session,
    })
  end
  return denial
end

function scopes_of(item)
  local scopes = {'c'}
  if item.product then
    scopes[2], scopes[3] = 'p\0' .. item.product, 'd\0' .. (item.domain or '') .. '\0' .. item.product
  end
  if item.license then
    scopes[#scopes + 1] = 'l\0' .. item.license
  end
  return scopes
end

local function each_meter(item, at_ms, change)
  for _, scope in ipairs(scopes_of(item)) do
    change(running[scope] or meter_of(scope, at_ms))
  end
end

local function move(item, at_ms, by, grants)
  local over = item.overdraft and by or 0
  each_meter(item, at_ms, function(meter)
    meter[1], meter[2] = math.max(0, meter[1] + by), math.max(0, meter[2] + over)
    meter[6], meter[9] = math.max(meter[6], meter[1]), meter[9] + grants
  end)
end

-- The denials of a user and product of the last seconds: each is {at_ms, license}. They heal when a grant follows.
local function denials_of(item, at_ms)
  local field, recent = item.product .. '\0' .. item.user, {}
  local packed = not pending[field] and redis.call('HGET', refused, field)
  for _, denial in ipairs(pending[field] or (packed and cmsgpack.unpack(packed)) or {}) do
    if denial[1] >= at_ms - HEAL_MS then
      recent[#recent + 1] = denial
    end
  end
  if packed or pending[field] then
    pending[field] = recent
  end
  return field, recent
end

local function heal(item, at_ms)
  local field, recent = denials_of(item, at_ms)
  for _, denial in ipairs(recent) do
    each_meter({product = item.product, domain = item.domain, license = denial[2]}, at_ms, function(meter)
      meter[10] = meter[10] + 1
    end)
  end
  pending[field] = pending[field] and {}
end

-- A meter is kept for ever, and a denial costs nothing: where there are very many meters it makes no more of them.
local function has_meter(item)
  local scope = 'd\0' .. (item.domain or '') .. '\0' .. item.product
  return running[scope] or redis.call('HEXISTS', meters, scope) == 1 or redis.call('HLEN', meters) < MOST_METERS
end

local function deny(item, at_ms)
  if item.product and not has_meter(item) then
    item.product = nil
  end
  each_meter(item, at_ms, function(meter)
    meter[11] = meter[11] or {}
    meter[11][item.code] = (meter[11][item.code] or 0) + (item.times or 1)
  end)
  if MENDED[item.code] and item.user and item.product then
    local field, recent = denials_of(item, at_ms)
    if #recent == REMEMBERED then
      table.remove(recent, 1)
    end
    recent[#recent + 1] = {at_ms, item.license}
    pending[field] = recent
  end
end

local apply = {
  granted = function(item, at_ms)
    heal(item, at_ms)
    move(item, at_ms, 1, 1)
  end,
  restored = function(item, at_ms)
    move(item, at_ms, 1, 0)
  end,
  freed = function(item, at_ms)
    move(item, at_ms, -1, 0)
  end,
  denied = deny,
}

-- The seats are the truth, a count in a meter is not: where data was lost or changed by hand it is counted anew. That looks at all
-- sessions, so it is not done again at once where it has not helped.
local function compare_counts(at_ms)
  if at_ms < (running.c[12] or 0) + RECOUNT_MS then
    return
  end
  for _, item in ipairs(notes) do
    local moved = item.type == 'granted' or item.type == 'freed' or item.type == 'restored'
    if moved and running['l\0' .. item.license][1] ~= count(seats, item.license) then
      note('recounted', {counts = recount(at_ms)})
      running.c[11], running.c[12] = running.c[11] or {}, at_ms
      return
    end
  end
end

-- The entry's id. False: the store may not write, and has refused the script's first write (it refuses no later one).
local function append(item, at_ms)
  local packed, kept = cmsgpack.pack(item), string.format('%.0f', args.events_kept)
  local said = redis.pcall('XADD', events, 'MAXLEN', '~', kept, string.format('%.0f-*', at_ms), 'e', packed)
  local fault = type(said) == 'table' and said.err
  if fault and string.find(fault, 'equal or smaller', 1, true) then  -- the meters were lost, the stream was not
    return redis.call('XADD', events, 'MAXLEN', '~', kept, '*', 'e', packed)
  elseif fault and not MAY_NOT_WRITE[string.match(fault, '%u+')] then
    error(fault)
  elseif fault then
    return false
  end
  return said
end

-- A denial costs two looks at others, so that those whose time is over go.
local function write_pending()
  for field, recent in pairs(pending) do
    if #recent == 0 then
      redis.call('HDEL', refused, field)
    else
      redis.call('HSET', refused, field, cmsgpack.pack(recent))
      local others = redis.call('HRANDFIELD', refused, 2, 'WITHVALUES')
      for i = 2, #others, 2 do
        local known = cmsgpack.unpack(others[i])
        if known[#known][1] < wall_ms - HEAL_MS then
          redis.call('HDEL', refused, others[i - 1])
        end
      end
    end
  end
end

local function settle()
  if #notes == 0 then
    return
  end
  local at_ms = metered_ms()
  for _, item in ipairs(notes) do
    if apply[item.type] then
      apply[item.type](item, at_ms)
    end
  end
  compare_counts(at_ms)
  for _, item in ipairs(notes) do
    local seq = item.type ~= 'back' and append(item, at_ms)
    if seq then
      deliver(seq, item)
    elseif item.type ~= 'back' then
      return  -- a denial that nobody can write down is a denial all the same
    end
  end
  write_pending()
  write_meters()
end

function answer(word, body)
  settle()
  return answer_plainly(word, body)
end

end
