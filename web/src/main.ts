import 'element-plus/theme-chalk/dark/css-vars.css'
import './styles/base.css'
import './stores/theme'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { listen } from './fault/log'
import { i18n } from './i18n'
import { router } from './router'

listen()
createApp(App).use(createPinia()).use(i18n).use(router).mount('#app')
