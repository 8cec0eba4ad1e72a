-- hand_on: a freed seat goes to the head of the queue, in the script that frees it.
-- keys: queue seats (with queue seats sessions and orders)
-- The rule: a waiter who cannot be served yet keeps hold of what is already free for him; it is promised to him, and neither
-- those behind him nor a newcomer may have it. So a request for several products is all or nothing and still never starves:
-- who is first only ever gets nearer.

local plan_behind, hand_on

do

local function promise(free)
  for _, seat in ipairs(free) do
    local member = seat.license .. '\0' .. seat.holder
    if not promised[member] and not has(seats, member) then
      promised[member], promised_number[seat.license] = seat, (promised_number[seat.license] or 0) + 1
      if seat.reserved then
        local place = seat.license .. '\1' .. seat.reserved
        promised_number[place] = (promised_number[place] or 0) + 1
      end
    end
  end
end

local function plan_for(entry)
  local record = entry.record
  return plan(record, record.waiting.need, record.waiting.want)
end

-- What is promised to those ahead of a newcomer of this priority.
local function promise_ahead(session, priority)
  for _, entry in ipairs(in_line()) do
    local waiting = entry.record.waiting
    if waiting and entry.session ~= session and waiting.priority >= priority then
      local chosen, denial, free = plan_for(entry)
      promise(chosen or denial.code == 'no_seat' and free or {})
    end
  end
end

local function serve(entry, chosen)
  local record, waiting = entry.record, entry.record.waiting
  take(chosen, entry.session, record)
  for _, seat in ipairs(chosen) do
    record.seats[#record.seats + 1] = seat
  end
  unqueue(record)
  record.state = 'attached'
  save(entry.session, record)
  note_pace(waiting.product)
  order(record.node, {
    type = 'granted', session = entry.session, fence = record.fence, ref = waiting.ref, seats = shown(record.seats),
  })
end

-- Why a waiter can no longer be served at all (his license has ended, say): he is told, and waits no longer.
local function turn_away(entry, denial)
  local record, ref = entry.record, entry.record.waiting.ref
  refusal(entry.session, record, {}, denial)
  unqueue(record)
  save(entry.session, record)
  order(record.node, {
    type = 'refused', session = entry.session, fence = record.fence, ref = ref, code = denial.code, product = denial.product,
  })
end

-- Seats for a newcomer, as `plan` finds them: not those promised to others. A denial needs no look at the queue.
function plan_behind(session, record, asked)
  local chosen, denial = plan(record, asked.need, asked.want)
  if chosen and redis.call('ZCARD', queue) > 0 then
    promise_ahead(session, asked.priority)
    chosen, denial = plan(record, asked.need, asked.want)
  end
  return chosen, denial
end

local function lost_a_waiter(everybody)
  for _, entry in ipairs(everybody) do
    if entry.record.waiting and ousted[entry.session] then
      return true
    end
  end
end

-- Serves everybody who can be served, first come first served.
local function settle()
  if recovering or redis.call('ZCARD', queue) == 0 then
    return
  end
  promised, promised_number = {}, {}
  line = nil  -- what was read before may have changed since
  local everybody = in_line()
  for _, entry in ipairs(everybody) do
    if entry.record.waiting and not ousted[entry.session] then
      local chosen, denial, free = plan_for(entry)
      if chosen then
        serve(entry, chosen)
      elseif denial.code == 'no_seat' then
        promise(free)
      else
        turn_away(entry, denial)
      end
    end
  end
  line = everybody
  if lost_a_waiter(everybody) then  -- to a newer device of his user: what was promised to him is free
    line = nil
    settle()
  end
end

-- What every verb does last that may have freed something.
function hand_on()
  if freed then
    settle()
  end
  wake()
  tell_waiters()
end

end
