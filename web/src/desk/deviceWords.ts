/* Words of the choice of the device that rings. */
export const zh = {
	ring_at: '来电响在', browser: '这个浏览器', phone: '话机 {name}', up: '在线', down: '不在线', test: '试振铃', ringing: '正在让话机 {name} 振铃，十秒后自动停', lost_phone: '话机 {name} 没有连上，来电会先给别人。', lost_browser: '浏览器电话没有连上，来电会先给别人。',
	use_browser: '改用这个浏览器', use_phone: '改用话机 {name}', changed_browser: '来电改响在这个浏览器', changed_phone: '来电改响在话机 {name}', away_short: '电话未连上', away: '您选的电话没有连上', away_hint: '连上后会自动恢复；也可以改用别的电话。',
}
export const en: typeof zh = {
	ring_at: 'Calls ring at', browser: 'this browser', phone: 'phone {name}', up: 'online', down: 'offline', test: 'Test ring', ringing: 'Phone {name} rings for ten seconds', lost_phone: 'Phone {name} is not connected; calls go to others first.', lost_browser: 'The browser’s telephone is not connected; calls go to others first.',
	use_browser: 'Use this browser', use_phone: 'Use phone {name}', changed_browser: 'Calls ring at this browser now', changed_phone: 'Calls ring at phone {name} now', away_short: 'No phone', away: 'The telephone you chose is not connected', away_hint: 'It goes on by itself once it is; or use another one.',
}
